//! `apisink journal`, on directories as a run leaves them. The end-to-end tests call it on a real run's.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Int32Array, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};

use crate::support::{Call, Told};

/// A journal's directory with runs in it.
struct Journal {
    call: Call,
    root: PathBuf,
}

impl Journal {
    fn new() -> Self {
        let call = Call::new().file("journal/.keep", "");
        let root = call.path("journal");
        Self { call, root }
    }

    /// A run that was opened, with further files that are empty JSON objects.
    fn run(self, id: &str, files: &[&str]) -> Self {
        let open = format!(
            r#"{{"format":4,"runId":"{id}","transaction":"{id}/t","partitions":4,"idColumn":"id","columns":"id STRING",
                "sink":"delta at /sink","created":"2026-01-02T03:04:05Z","sparkVersion":"4.2.0"}}"#
        );
        let run = self.root.join(id);
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join("open.json"), open).unwrap();
        for name in files {
            let content = if *name == "done.json" {
                r#"{"outcomes":{"rows":7,"success":7,"unknown":0}}"#
            } else {
                "{}"
            };
            fs::write(run.join(name), content).unwrap();
        }
        self
    }

    /// A journal file with these tracking ids.
    fn answers(self, run: &str, partition: &str, ids: &[&str]) -> Self {
        let schema = Arc::new(Schema::new(vec![
            Field::new("tracking_id", DataType::Utf8, true),
            Field::new("status_code", DataType::Int32, true),
        ]));
        let statuses = Int32Array::from(vec![200; ids.len()]);
        let columns: Vec<arrow_array::ArrayRef> =
            vec![Arc::new(StringArray::from(ids.to_vec())), Arc::new(statuses)];
        let mut writer = FileWriter::try_new(Vec::new(), &schema).unwrap();
        writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
        let bytes = writer.into_inner().unwrap();
        let directory = self.root.join(run).join(partition);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("a1.0000beef-00000.{:08x}.arrow", crc32c::crc32c(&bytes))), bytes)
            .unwrap();
        self
    }

    fn cut_a_file(&self, run: &str, partition: &str) {
        let file = fs::read_dir(self.root.join(run).join(partition)).unwrap().next().unwrap().unwrap().path();
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    }

    fn has(&self, path: &str) -> bool {
        Path::exists(&self.root.join(path))
    }

    fn journal(&self, arguments: &[&str]) -> Told {
        self.call.run(&[&["journal"], arguments].concat())
    }
}

#[test]
fn runs_are_listed_with_their_state_and_their_journal() {
    let journal = Journal::new()
        .run("amid", &[])
        .answers("amid", "p00001", &["a", "b"])
        .run("promised", &["manifest-0.json"])
        .run("ready", &["manifest-0.json", "done-0.json", "done.json"]);
    let told = journal.journal(&["ls", "journal"]);
    let lines: Vec<&str> = told.out.lines().collect();
    assert_eq!((told.code, lines.len()), (0, 3), "{told:?}");
    assert!(lines[0].starts_with("amid      open ") && lines[0].contains("1 journal files"), "{}", lines[0]);
    assert!(lines[1].starts_with("promised  committing 0"), "{}", lines[1]);
    assert!(
        lines[2].starts_with("ready     done") && lines[2].contains("7 rows; no journal"),
        "{}",
        lines[2]
    );
}

#[test]
fn a_run_is_shown_with_its_answers_and_damaged_files() {
    let journal =
        Journal::new().run("r", &[]).answers("r", "p00000", &["a", "b"]).answers("r", "p00003", &["c"]);
    let told = journal.journal(&["show", "journal/r"]);
    assert!(told.code == 0 && told.out.contains("3 answers") && told.out.contains("0 damaged"), "{told:?}");
    let rows = journal.journal(&["show", "journal/r", "--rows", "-n", "2"]);
    assert_eq!(
        rows.out,
        "{\"tracking_id\":\"a\",\"status_code\":200}\n{\"tracking_id\":\"b\",\"status_code\":200}\n"
    );
    journal.cut_a_file("r", "p00000");
    let told = journal.journal(&["show", "journal/r"]);
    assert!(told.code == 1 && told.out.contains("DAMAGED: has the checksum"), "{told:?}");
    let rows = journal.journal(&["show", "journal/r", "--rows"]);
    assert_eq!(rows.out, "{\"tracking_id\":\"c\",\"status_code\":200}\n");
    assert!(rows.err.contains("it is left out"), "{}", rows.err);
}

#[test]
fn what_is_no_run_is_said() {
    let journal = Journal::new().run("r", &[]);
    let told = journal.journal(&["show", "journal"]);
    assert!(told.code == 1 && told.err.contains("name a run's directory"), "{told:?}");
    let told = journal.journal(&["ls", "nowhere"]);
    assert!(told.code == 1 && told.err.starts_with("apisink: nowhere: "), "{told:?}");
}

#[test]
fn gc_removes_what_is_of_no_use_and_nothing_before_it_is_told_to() {
    let journal = Journal::new()
        .run("amid", &[])
        .answers("amid", "p00000", &["a"])
        .run("ready", &["done.json"])
        .answers("ready", "p00000", &["b"]);
    let told = journal.journal(&["gc", "journal"]);
    assert!(told.out.contains("ready: its journal") && told.out.contains("amid: kept"), "{}", told.out);
    assert!(journal.has("ready/p00000"), "nothing is removed without --remove");
    journal.journal(&["gc", "journal", "--remove"]);
    assert!(!journal.has("ready/p00000") && journal.has("ready/done.json") && journal.has("amid/p00000"));
    // All of them are older than nothing; what is not done stays.
    journal.journal(&["gc", "journal", "--older-than", "0h", "--remove"]);
    assert!(!journal.has("ready") && journal.has("amid/p00000"));
    let told = journal.journal(&["gc", "journal", "--older-than", "0h", "--unfinished", "--remove"]);
    assert!(!journal.has("amid") && told.out.contains("its answers are lost"), "{}", told.out);
}

#[test]
fn gc_keeps_a_run_that_somebody_holds() {
    let journal = Journal::new().run("r", &["done.json"]).answers("r", "p00000", &["a"]);
    let holder =
        r#"{"host":"elsewhere","pid":1,"started":0,"applicationId":"app-1","since":"2026-01-02T03:04:05Z"}"#;
    fs::write(journal.root.join("r/lock-1.json"), holder).unwrap();
    let gc = ["gc", "journal", "--older-than", "0h", "--unfinished", "--remove"];
    let told = journal.journal(&gc);
    assert!(told.out.contains("r: kept, held by process 1 on elsewhere, application app-1"), "{}", told.out);
    assert!(journal.has("r/p00000"));
    fs::write(journal.root.join("r/unlock-1.json"), "{}").unwrap();
    journal.journal(&gc);
    assert!(!journal.has("r"));
}
