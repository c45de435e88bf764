package io.apisink.jni

import java.net.URLClassLoader
import java.nio.file.{Files, Path}
import java.nio.file.attribute.PosixFilePermissions

import scala.io.Source
import scala.util.Using

import org.scalatest.funsuite.AnyFunSuite

/** How the native library is found. Each test loads the class anew: the first outcome is remembered. */
final class NativeLibrarySuite extends AnyFunSuite {

  /** Calls `load` of a fresh NativeLibrary, twice; the messages of what it threw. */
  private def load(setting: String, bundled: Boolean = true): Seq[Option[String]] = {
    val parent = getClass.getClassLoader
    val urls = System.getProperty("java.class.path").split(':').map(p => Path.of(p).toUri.toURL)
    val fresh = new URLClassLoader(urls, null) {
      override def getResource(name: String) =
        if (bundled || !name.startsWith("native/")) super.getResource(name) else null
      override def findClass(name: String) =
        if (name.startsWith("io.apisink.")) super.findClass(name) else parent.loadClass(name)
    }
    Using.resource(fresh) { loader =>
      val method = loader.loadClass("io.apisink.jni.NativeLibrary").getMethod("load", classOf[String])
      Seq.fill(2) {
        try {
          method.invoke(null, setting)
          None
        } catch {
          case e: java.lang.reflect.InvocationTargetException =>
            Some(
              s"${e.getCause.getClass.getSimpleName}#${System.identityHashCode(e.getCause)} ${e.getCause.getMessage}"
            )
        }
      }
    }
  }

  test("the jar's library is loaded, by every class loader for itself") {
    assert(load(null) == Seq(None, None))
    assert(load(null) == Seq(None, None))
  }

  test("a process that is killed leaves no copy of the jar's library behind") {
    assert(load(null).head.isEmpty)
    val mapped =
      Using.resource(Source.fromFile("/proc/self/maps"))(_.getLines().filter(_.contains("libapisink-")).toSet)
    assert(mapped.nonEmpty && mapped.forall(_.endsWith("(deleted)")), mapped)
  }

  test("where a library is named nothing else is tried, and the error names the path") {
    val messages = load("/nowhere/libapisink.so")
    assert(messages.head.exists(_.contains("/nowhere/libapisink.so")), messages)
    assert(messages.head.exists(_.startsWith("NativeLibraryException")), messages)
  }

  test("the first failure is remembered and thrown again") {
    val messages = load("/nowhere/libapisink.so")
    assert(messages.head.isDefined && messages.distinct.size == 1)
  }

  test("a library that is not apisink's is refused") {
    // A copy: the JVM has the file itself loaded already.
    val other = Files.createTempDirectory("apisink-test-").resolve("libother.so")
    Files.copy(Path.of(System.getProperty("java.home"), "lib", "libzip.so"), other)
    val messages = load(other.toString)
    assert(messages.head.exists(_.contains("is not apisink's")), messages)
  }

  test("a jar without a library for the platform says what was looked for") {
    val messages = load(null, bundled = false)
    assert(messages.head.exists(_.contains(s"native/${Platform.current()}/libapisink.so")), messages)
  }

  test("the copy lies in a directory of its own that only its owner may enter, under the library's digest") {
    val file = NativeLibrary.extract("library".getBytes)
    assert(file.getFileName.toString.matches("libapisink-[0-9a-f]{64}\\.so"))
    assert(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent)) == "rwx------")
  }

  test("platforms have the names of the jar's folders") {
    assert(Platform.of("Linux", "amd64") == "linux-x86_64")
    assert(Platform.of("Mac OS X", "aarch64") == "macos-aarch64")
  }
}
