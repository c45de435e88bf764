//! A journal file: an Arrow IPC file of response rows whose name ends with the CRC-32C of its content.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;

/// A finished journal file, by its name.
#[derive(Clone, Debug)]
pub(crate) struct JournalFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    checksum: u32,
}

impl JournalFile {
    /// The finished files of a partition's directory, in the order in which a task attempt reads them.
    pub(crate) fn all(partition: &Path) -> io::Result<Vec<Self>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(partition)? {
            let entry = entry?;
            let Some(checksum) = entry.file_name().to_str().and_then(checksum) else { continue };
            files.push(Self { path: entry.path(), bytes: entry.metadata()?.len(), checksum });
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// Reads the file once; why it cannot be believed, if that is so. Its rows are sent again then.
    pub(crate) fn damage(&self) -> io::Result<Option<String>> {
        let mut file = File::open(&self.path)?;
        let mut found = 0;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            found = crc32c::crc32c_append(found, &buffer[..count]);
        }
        Ok((found != self.checksum).then(|| format!("has the checksum {found:08x}, not that of its name")))
    }

    /// Its response rows, batch by batch.
    pub(crate) fn batches(&self) -> Result<impl Iterator<Item = Result<RecordBatch, String>>, String> {
        let file = File::open(&self.path).map_err(|error| error.to_string())?;
        let reader = FileReader::try_new(BufReader::new(file), None).map_err(|error| error.to_string())?;
        Ok(reader.map(|batch| batch.map_err(|error| error.to_string())))
    }

    /// How many rows it has, from its footer and the heads of its batches.
    pub(crate) fn rows(&self) -> Result<u64, String> {
        self.batches()?.try_fold(0, |sum, batch| Ok(sum + batch?.num_rows() as u64))
    }
}

/// The checksum that a name promises; none for a file that is not finished, or something else.
fn checksum(name: &str) -> Option<u32> {
    let (attempt, hex) = name.strip_suffix(".arrow")?.rsplit_once('.')?;
    let is_attempt = attempt.starts_with('a') && attempt.contains('-');
    let is_hex = hex.len() == 8 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_attempt && is_hex { u32::from_str_radix(hex, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finished_files_have_a_checksum() {
        assert_eq!(checksum("a17.5f0c9a1e-00000.8a9136aa.arrow"), Some(0x8a91_36aa));
        for other in
            [".a17.5f0c9a1e-00000.open.tmp", "a17.5f0c9a1e-00000.arrow", "a1.b-0.8A9136AA.arrow", "list.json"]
        {
            assert_eq!(checksum(other), None, "{other}");
        }
    }
}
