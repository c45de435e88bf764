package io.apisink.config

import java.io.{FileNotFoundException, IOException}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/** Small files that the driver reads for a config, through Hadoop's file systems. */
private[config] object DriverFile {

  /** Why there is no content. */
  sealed trait Problem
  case object Missing extends Problem
  case object TooLarge extends Problem
  final case class Unreadable(why: String) extends Problem

  /** The content, if it has at most so many bytes: a mistaken path to a data file must not fill the driver. */
  def read(path: String, maxBytes: Int, conf: Configuration): Either[Problem, Array[Byte]] =
    try {
      val file = new Path(path)
      val in = file.getFileSystem(conf).open(file)
      val bytes =
        try in.readNBytes(maxBytes + 1)
        finally in.close()
      Either.cond(bytes.length <= maxBytes, bytes, TooLarge)
    } catch {
      case _: FileNotFoundException => Left(Missing)
      case e @ (_: IOException | _: IllegalArgumentException) => Left(Unreadable(String.valueOf(e.getMessage)))
    }
}
