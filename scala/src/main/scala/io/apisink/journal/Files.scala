package io.apisink.journal

import java.io.FileNotFoundException
import java.nio.file.{FileAlreadyExistsException => NameTakenException, FileSystemException}
import java.nio.file.{Files => LocalFiles, Path => LocalPath, StandardOpenOption}
import java.nio.file.attribute.PosixFilePermissions
import java.util.UUID

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{
  FSDataOutputStream,
  FileAlreadyExistsException,
  FileContext,
  FileStatus,
  FileSystem,
  LocalFileSystem,
  Options,
  Path,
  UnsupportedFileSystemException
}
import org.apache.hadoop.fs.permission.FsPermission

/**
 * The few file operations that journal and ledger need, on any Hadoop file system. Not thread-safe.
 *
 * On a local one they are Java's own: without its native library Hadoop starts a process to set or read a mode and to look
 * for a link, and it writes a checksum beside each file, although those of the journal have one in their names.
 */
private[apisink] final class Files(conf: Configuration) {

  def fileSystem(path: Path): FileSystem = path.getFileSystem(conf)

  /** The path as Java knows it, when it is on the local file system. */
  private def local(path: Path): Option[LocalPath] = fileSystem(path) match {
    case fs: LocalFileSystem => Some(fs.pathToFile(path).toPath)
    case _ => None
  }

  /** Creates a directory that only its owner may enter; missing parents get the default mode. */
  def createPrivateDirectory(directory: Path): Unit = local(directory) match {
    case Some(path) => createPrivateLocally(path)
    case None =>
      val fs = fileSystem(directory)
      if (!fs.exists(directory)) {
        Option(directory.getParent).foreach(fs.mkdirs)
        fs.mkdirs(directory, Files.OwnerOnly)
        // Some file systems ignore the mode of mkdirs, or apply the umask to it.
        if (fs.getFileStatus(directory).getPermission != Files.OwnerOnly) fs.setPermission(directory, Files.OwnerOnly)
      }
  }

  private def createPrivateLocally(directory: LocalPath): Unit = if (!LocalFiles.isDirectory(directory)) {
    Option(directory.getParent).foreach(LocalFiles.createDirectories(_))
    try LocalFiles.createDirectory(directory, PosixFilePermissions.asFileAttribute(Files.OwnerOnlyLocally))
    catch {
      // Somebody else made it meanwhile.
      case _: NameTakenException if LocalFiles.isDirectory(directory) => directory
    }
    ()
  }

  /** Creates a file to be written; fails when there is one of that name. */
  def create(file: Path): FSDataOutputStream = local(file) match {
    case Some(path) => new FSDataOutputStream(LocalFiles.newOutputStream(path, StandardOpenOption.CREATE_NEW), null)
    case None => fileSystem(file).create(file, false)
  }

  /**
   * Creates a file that is either whole or not there. Of two callers one creates it, where the file system promises
   * that: HDFS and ABFS do by their rename, a local one by a link. On an object store without a conditional rename two
   * that come within the same instant may both believe that they did.
   *
   * @return false when there was a file of that name already; it is left as it is
   */
  def createAtomic(file: Path, content: Array[Byte]): Boolean = {
    val hidden = hiddenName(file, UUID.randomUUID().toString)
    var created = false
    try {
      val out = create(hidden)
      try out.write(content)
      finally out.close()
      created = publish(hidden, file)
    } finally if (!created) fileSystem(hidden).delete(hidden, false)
    created
  }

  /**
   * Gives a finished file its name, never over another file that was there before.
   *
   * @return false when that name was taken; the hidden file stays
   */
  def publish(hidden: Path, file: Path): Boolean = (local(hidden), local(file)) match {
    case (Some(from), Some(to)) => publishLocally(from, to)
    case _ => publishByHadoop(hidden, file)
  }

  /** Hadoop's local rename looks first and renames then; a link is one step. */
  private def publishLocally(hidden: LocalPath, file: LocalPath): Boolean =
    try {
      try LocalFiles.createLink(file, hidden)
      catch {
        // Not every mount has links; this looks first, too.
        case e @ (_: UnsupportedOperationException | _: FileSystemException)
            if !e.isInstanceOf[NameTakenException] =>
          LocalFiles.move(hidden, file)
      }
      LocalFiles.deleteIfExists(hidden)
      true
    } catch {
      case _: NameTakenException => false
    }

  private def publishByHadoop(hidden: Path, file: Path): Boolean = {
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
  def names(directory: Path): Seq[String] = statuses(directory).map(_.getPath.getName)

  /** What is in a directory; nothing when there is no such directory. */
  def statuses(directory: Path): Seq[FileStatus] =
    try fileSystem(directory).listStatus(directory).toSeq
    catch {
      case _: FileNotFoundException => Nil
    }

  def deleteRecursively(path: Path): Boolean = fileSystem(path).delete(path, true)
}

private object Files {
  val OwnerOnly = new FsPermission(Integer.parseInt("700", 8).toShort)
  private val OwnerOnlyLocally = PosixFilePermissions.fromString("rwx------")
}
