import sbt.*
import sbt.Keys.*
import scala.sys.process.Process

/**
 * What cargo builds for the JVM side: the native library, which goes into the jar as the resource
 * `native/<os>-<arch>/libapisink.so`, and the API server that tests talk to.
 *
 * Either is taken ready-made from the path in its environment variable. Without one, cargo decides on every build
 * whether there is anything to do.
 */
object NativePlugin extends AutoPlugin {

  object autoImport {
    val nativeLibrary = taskKey[File]("The native library: given by APISINK_NATIVE_LIBRARY, else built by cargo")
    val originProgram = taskKey[File]("The API server of the tests: given by APISINK_ORIGIN, else built by cargo")
  }
  import autoImport.*

  private val fileName = "libapisink.so"

  /** Folder of the resource; io.apisink.jni.Platform names it in the same way at run time. */
  private def platform: String = {
    val os = sys.props("os.name").toLowerCase match {
      case name if name.startsWith("linux") => "linux"
      case name if name.startsWith("mac") => "macos"
      case name => sys.error(s"no native library is built for the operating system $name")
    }
    val arch = sys.props("os.arch") match {
      case "amd64" | "x86_64" => "x86_64"
      case "aarch64" | "arm64" => "aarch64"
      case name => sys.error(s"no native library is built for the architecture $name")
    }
    s"$os-$arch"
  }

  private def given(variable: String): Option[File] = sys.env.get(variable).map { path =>
    val found = file(path)
    if (!found.isFile) sys.error(s"$variable names no file: $path")
    found
  }

  /** Asks for the packages that the Makefile asks for: what they depend on has the features that all of them want together. */
  private val built: Def.Initialize[Task[File]] = Def.task {
    val base = (ThisBuild / baseDirectory).value
    val log = streams.value.log
    val packages = Seq("--workspace", "--exclude", "apisink-example-middleware")
    val command = Seq("cargo", "build", "--release", "--locked") ++ packages ++ Seq("--lib", "--bin", "apisink-origin")
    log.info(command.mkString(" "))
    val code = Process(command, base).!
    if (code != 0) sys.error(s"cargo ended with $code; see its messages above")
    base / "target" / "release"
  }

  private def givenOrBuilt(variable: String, name: String): Def.Initialize[Task[File]] = Def.taskDyn {
    given(variable) match {
      case Some(file) => Def.task(file)
      case None => Def.task(built.value / name)
    }
  }

  override lazy val projectSettings: Seq[Setting[?]] = Seq(
    nativeLibrary := givenOrBuilt("APISINK_NATIVE_LIBRARY", fileName).value,
    originProgram := givenOrBuilt("APISINK_ORIGIN", "apisink-origin").value,
    Compile / resourceGenerators += Def.task {
      val target = (Compile / resourceManaged).value / "native" / platform / fileName
      IO.copyFile(nativeLibrary.value, target, preserveLastModified = true)
      Seq(target)
    }.taskValue,
    Test / javaOptions += s"-Dapisink.origin=${originProgram.value}"
  )
}
