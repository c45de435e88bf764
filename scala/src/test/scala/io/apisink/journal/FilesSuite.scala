package io.apisink.journal

import java.nio.file.{Files => LocalFiles, Path => LocalPath}
import java.nio.file.attribute.PosixFilePermissions

import scala.jdk.CollectionConverters._

import io.apisink.testing.FaultyFileSystem
import org.apache.hadoop.fs.Path
import org.scalatest.BeforeAndAfterAll
import org.scalatest.funsuite.AnyFunSuite

/** The same promises on the local file system, which has ways of its own, and on one that only Hadoop knows. */
final class FilesSuite extends AnyFunSuite with BeforeAndAfterAll {

  private val root = LocalFiles.createTempDirectory("files")
  private val files = new Files(FaultyFileSystem.conf)

  override protected def afterAll(): Unit = {
    files.deleteRecursively(new Path(root.toUri))
    ()
  }

  for ((name, of) <- Seq("local" -> ((path: LocalPath) => new Path(path.toUri)), "hadoop" -> FaultyFileSystem.path _)) {
    val directory = LocalFiles.createDirectory(root.resolve(name))

    def written(file: LocalPath, content: String): Path = {
      val out = files.create(of(file))
      try out.writeBytes(content)
      finally out.close()
      of(file)
    }

    test(s"$name: a name is given once, and only to a finished file") {
      val file = directory.resolve("once")
      assert(files.publish(written(directory.resolve(".first"), "first"), of(file)))
      assert(!files.publish(written(directory.resolve(".second"), "second"), of(file)))
      assert(LocalFiles.readString(file) === "first")
      assert(!LocalFiles.exists(directory.resolve(".first")) && LocalFiles.exists(directory.resolve(".second")))
      assert(!files.createAtomic(of(file), "third".getBytes))
      assert(LocalFiles.readString(file) === "first")
    }

    test(s"$name: a file is not written over another") {
      written(directory.resolve("there"), "first")
      assertThrows[java.io.IOException](written(directory.resolve("there"), "second"))
      assert(LocalFiles.readString(directory.resolve("there")) === "first")
    }

    test(s"$name: a private directory is its owner's, however often it is made") {
      val deep = directory.resolve("run").resolve("p00001")
      for (_ <- 1 to 2) files.createPrivateDirectory(of(deep))
      assert(PosixFilePermissions.toString(LocalFiles.getPosixFilePermissions(deep)) === "rwx------")
      assert(files.createAtomic(of(deep.resolve("file")), "content".getBytes))
      assert(files.read(of(deep.resolve("file"))).map(new String(_)).contains("content"))
    }
  }

  test("local files have nothing beside them") {
    val directory = root.resolve("alone")
    files.createPrivateDirectory(new Path(directory.toUri))
    assert(files.createAtomic(new Path(directory.resolve("file").toUri), "content".getBytes))
    val left = LocalFiles.list(directory)
    try assert(left.iterator().asScala.map(_.getFileName.toString).toSeq === Seq("file"))
    finally left.close()
  }
}
