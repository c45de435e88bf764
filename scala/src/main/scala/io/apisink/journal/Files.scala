package io.apisink.journal

import java.io.FileNotFoundException
import java.util.UUID

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{
  FileAlreadyExistsException,
  FileContext,
  FileSystem,
  Options,
  Path,
  UnsupportedFileSystemException
}
import org.apache.hadoop.fs.permission.FsPermission

/** The few file operations that journal and ledger need, on any Hadoop file system. Not thread-safe. */
private[apisink] final class Files(conf: Configuration) {

  def fileSystem(path: Path): FileSystem = path.getFileSystem(conf)

  /** Creates a directory that only its owner may enter; missing parents get the default mode. */
  def createPrivateDirectory(directory: Path): Unit = {
    val fs = fileSystem(directory)
    if (!fs.exists(directory)) {
      Option(directory.getParent).foreach(fs.mkdirs)
      fs.mkdirs(directory, Files.OwnerOnly)
      // Some file systems ignore the mode of mkdirs, or apply the umask to it.
      if (fs.getFileStatus(directory).getPermission != Files.OwnerOnly) fs.setPermission(directory, Files.OwnerOnly)
    }
  }

  /**
   * Creates a file that is either whole or not there.
   *
   * @return false when there was a file of that name already; it is left as it is
   */
  def createAtomic(file: Path, content: Array[Byte]): Boolean = {
    val fs = fileSystem(file)
    val hidden = hiddenName(file, UUID.randomUUID().toString)
    val out = fs.create(hidden, false)
    try out.write(content)
    finally out.close()
    val created = publish(hidden, file)
    if (!created) fs.delete(hidden, false)
    created
  }

  /**
   * Gives a finished file its name, never over another file.
   *
   * @return false when that name was taken; the hidden file stays
   */
  def publish(hidden: Path, file: Path): Boolean = {
    val fs = fileSystem(file)
    val (from, to) = (fs.makeQualified(hidden), fs.makeQualified(file))
    try {
      FileContext.getFileContext(to.toUri, conf).rename(from, to, Options.Rename.NONE)
      true
    } catch {
      case _: FileAlreadyExistsException => false
      case _: UnsupportedFileSystemException => !fs.exists(to) && fs.rename(from, to)
    }
  }

  /** A name that no reader takes for a finished file. */
  def hiddenName(file: Path, token: String): Path = new Path(file.getParent, s".${file.getName}.$token.tmp")

  /** The content, or none when there is no such file. */
  def read(file: Path): Option[Array[Byte]] =
    try {
      val in = fileSystem(file).open(file)
      try Some(in.readAllBytes())
      finally in.close()
    } catch {
      case _: FileNotFoundException => None
    }

  /** Names in a directory; none when there is no such directory. */
  def names(directory: Path): Seq[String] =
    try fileSystem(directory).listStatus(directory).toSeq.map(_.getPath.getName)
    catch {
      case _: FileNotFoundException => Nil
    }

  def deleteRecursively(path: Path): Boolean = fileSystem(path).delete(path, true)
}

private object Files {
  val OwnerOnly = new FsPermission(Integer.parseInt("700", 8).toShort)
}
