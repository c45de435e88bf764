package io.apisink.journal

import java.io.{EOFException, FileNotFoundException}
import java.util.zip.CRC32C

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{ChecksumException, Path}

/** Tells whole journal files from damaged ones, before anything in them is believed. */
object JournalCheck {

  private val BufferBytes = 256 * 1024

  /**
   * Reads a file once and compares its content with the checksum in its name.
   *
   * @return why the file cannot be used, in words that go on after its name; none when it is whole
   * @throws java.io.IOException when the file system fails: that says nothing about the file
   */
  def damage(file: Path, conf: Configuration): Option[String] =
    JournalFile.checksum(file.getName) match {
      case None => Some("has no name of a journal file")
      case Some(expected) =>
        try {
          val found = checksum(file, conf)
          Option.when(found != expected)(f"has the checksum $found%08x, not that of its name")
        } catch {
          case _: FileNotFoundException => Some("is gone")
          case e @ (_: ChecksumException | _: EOFException) => Some(s"cannot be read to its end: ${e.getMessage}")
        }
    }

  private def checksum(file: Path, conf: Configuration): Long = {
    val crc = new CRC32C
    val buffer = new Array[Byte](BufferBytes)
    val in = file.getFileSystem(conf).open(file)
    try {
      var read = in.read(buffer)
      while (read >= 0) {
        crc.update(buffer, 0, read)
        read = in.read(buffer)
      }
    } finally in.close()
    crc.getValue
  }
}
