package io.apisink.testing

import java.io.{FilterOutputStream, OutputStream}
import java.net.URI
import java.nio.file.{Files => LocalFiles}
import java.nio.file.attribute.PosixFilePermissions

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{
  CreateFlag,
  DelegateToFileSystem,
  FSDataInputStream,
  FSDataOutputStream,
  FileStatus,
  Path,
  RawLocalFileSystem
}
import org.apache.hadoop.fs.permission.FsPermission
import org.apache.hadoop.util.Progressable

/**
 * The local file system under the scheme `faulty`, where a test sees every operation before and after it happens, and
 * may let it fail.
 */
final class FaultyFileSystem extends RawLocalFileSystem {

  override def getUri: URI = FaultyFileSystem.Root

  override def getScheme: String = FaultyFileSystem.Root.getScheme

  override def create(
      file: Path,
      permission: FsPermission,
      overwrite: Boolean,
      bufferSize: Int,
      replication: Short,
      blockSize: Long,
      progress: Progressable
  ): FSDataOutputStream = observed("create", file) {
    val stream = super.create(file, permission, overwrite, bufferSize, replication, blockSize, progress)
    new FSDataOutputStream(new Observed(stream, file), null)
  }

  override def create(
      file: Path,
      overwrite: Boolean,
      bufferSize: Int,
      replication: Short,
      blockSize: Long,
      progress: Progressable
  ): FSDataOutputStream = create(file, null, overwrite, bufferSize, replication, blockSize, progress)

  override def createNonRecursive(
      file: Path,
      permission: FsPermission,
      flags: java.util.EnumSet[CreateFlag],
      bufferSize: Int,
      replication: Short,
      blockSize: Long,
      progress: Progressable
  ): FSDataOutputStream =
    create(file, permission, flags.contains(CreateFlag.OVERWRITE), bufferSize, replication, blockSize, progress)

  override def open(file: Path, bufferSize: Int): FSDataInputStream =
    observed("open", file)(super.open(file, bufferSize))

  override def rename(from: Path, to: Path): Boolean = observed("rename", to)(super.rename(from, to))

  override def delete(path: Path, recursive: Boolean): Boolean = observed("delete", path)(super.delete(path, recursive))

  // The local file system's own status asks for its permissions later, and then for the scheme `file` only.
  override def getFileStatus(path: Path): FileStatus = known(super.getFileStatus(path))

  override def listStatus(path: Path): Array[FileStatus] = super.listStatus(path).map(known)

  private def known(status: FileStatus): FileStatus = {
    val mode = LocalFiles.getPosixFilePermissions(pathToFile(status.getPath).toPath)
    new FileStatus(
      status.getLen,
      status.isDirectory,
      status.getReplication.toInt,
      status.getBlockSize,
      status.getModificationTime,
      status.getAccessTime,
      FsPermission.valueOf((if (status.isDirectory) "d" else "-") + PosixFilePermissions.toString(mode)),
      "",
      "",
      status.getPath
    )
  }

  private def observed[T](kind: String, path: Path)(operation: => T): T = {
    FaultyFileSystem.see(Operation(kind, path, isDone = false))
    val result = operation
    FaultyFileSystem.see(Operation(kind, path, isDone = true))
    result
  }

  private final class Observed(out: OutputStream, file: Path) extends FilterOutputStream(out) {
    override def write(bytes: Array[Byte], offset: Int, length: Int): Unit =
      observed("write", file)(out.write(bytes, offset, length))

    override def write(byte: Int): Unit = observed("write", file)(out.write(byte))

    override def close(): Unit = observed("close", file)(out.close())
  }
}

/** For FileContext. */
final class FaultyFs(uri: URI, conf: Configuration)
    extends DelegateToFileSystem(uri, new FaultyFileSystem, conf, "faulty", false) {
  override def getUriDefaultPort: Int = -1
}

/** @param kind `create`, `write`, `close`, `open`, `rename` (the path is the new name) or `delete` */
final case class Operation(kind: String, path: Path, isDone: Boolean)

object FaultyFileSystem {

  private val Root = URI.create("faulty:///")

  @volatile private var observer: Operation => Unit = _ => ()

  /** Settings that make the scheme known. */
  val settings: Map[String, String] = Map(
    "fs.faulty.impl" -> classOf[FaultyFileSystem].getName,
    "fs.AbstractFileSystem.faulty.impl" -> classOf[FaultyFs].getName
  )

  def conf: Configuration = {
    val conf = new Configuration
    settings.foreach { case (name, value) => conf.set(name, value) }
    conf
  }

  /** A local directory under this scheme. */
  def path(local: java.nio.file.Path): Path = new Path(s"faulty://$local")

  /** Runs `body` while `look` sees each operation of the process, and throws what an operation is to throw. */
  def observing[T](look: Operation => Unit)(body: => T): T = {
    observer = look
    try body
    finally observer = _ => ()
  }

  private def see(operation: Operation): Unit = observer(operation)
}
