import sbt.*
import sbt.Keys.*
import scala.sys.process.Process

/**
 * Brings the native library into the jar, as the resource `native/<os>-<arch>/libapisink.so`.
 *
 * The library is built by cargo, or taken ready-made from the path in the environment variable
 * `APISINK_NATIVE_LIBRARY` or the system property `apisink.native.library` (the variable wins). Without either, cargo
 * decides on every build whether there is anything to do.
 */
object NativeLibraryPlugin extends AutoPlugin {

  object autoImport {
    val nativeLibrary = taskKey[File]("The native library: given by APISINK_NATIVE_LIBRARY, else built by cargo")
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

  override lazy val projectSettings: Seq[Setting[?]] = Seq(
    nativeLibrary := {
      val base = (ThisBuild / baseDirectory).value
      val log = streams.value.log
      sys.env.get("APISINK_NATIVE_LIBRARY").orElse(sys.props.get("apisink.native.library")) match {
        case Some(path) =>
          val given = file(path)
          if (!given.isFile) sys.error(s"APISINK_NATIVE_LIBRARY names no file: $path")
          given
        case None =>
          val command = Seq("cargo", "build", "--release", "--package", "apisink-jni")
          log.info(command.mkString(" "))
          val code = Process(command, base).!(log)
          if (code != 0) sys.error(s"cargo ended with $code; see its messages above")
          base / "target" / "release" / fileName
      }
    },
    Compile / resourceGenerators += Def.task {
      val target = (Compile / resourceManaged).value / "native" / platform / fileName
      IO.copyFile(nativeLibrary.value, target, preserveLastModified = true)
      Seq(target)
    }.taskValue
  )
}
