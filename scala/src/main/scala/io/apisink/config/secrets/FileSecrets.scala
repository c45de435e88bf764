package io.apisink.config.secrets

import java.io.IOException
import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, NoSuchFileException, Path, Paths}

import scala.jdk.OptionConverters._

import io.apisink.config.{SecretAnswer, SecretProvider, SecretSettings}

/**
 * Files of the driver's machine, as Kubernetes and Docker mount secrets: one file for each, its content the value.
 *
 * The setting `spark.apisink.secrets.dir.SCOPE` is a scope's own directory and holds a file for each key (Docker:
 * `/run/secrets`; Kubernetes: where a Secret is mounted). Else `spark.apisink.secrets.dir` holds a directory for each
 * scope. One line break at the end of a file is not part of the value: editors and `echo` add it.
 */
private[config] final class FileSecrets extends SecretProvider {

  private var settings: SecretSettings = _

  override def name: String = "files"

  override def open(settings: SecretSettings): Unit = this.settings = settings

  override def find(scope: String, key: String): SecretAnswer = {
    val setting = s"${FileSecrets.Directory}.$scope"
    val own = settings.get(setting).toScala.map(_ -> key)
    def shared = settings.get(FileSecrets.Directory).toScala.map(_ -> s"$scope/$key")
    own.orElse(shared) match {
      case None => SecretAnswer.absent(s"neither $setting nor ${FileSecrets.Directory} is set")
      case Some((directory, name)) => read(Paths.get(directory), name)
    }
  }

  private def read(directory: Path, name: String): SecretAnswer = {
    val file = directory.resolve(name)
    if (name.split("/", -1).exists(FileSecrets.leads)) SecretAnswer.absent(s"$name is no file below $directory")
    else if (Files.isDirectory(file)) SecretAnswer.absent(s"$file is a directory")
    else
      try SecretAnswer.found(FileSecrets.text(content(file), file))
      catch {
        case _: NoSuchFileException => SecretAnswer.absent(s"no file $file")
      }
  }

  private def content(file: Path): Array[Byte] = {
    val in = Files.newInputStream(file)
    try in.readNBytes(FileSecrets.MaxBytes + 1)
    finally in.close()
  }
}

private object FileSecrets {

  val Directory = "spark.apisink.secrets.dir"

  /** Larger than any credential; a mistaken directory must not fill the driver. */
  val MaxBytes: Int = 1024 * 1024

  /** Whether a segment of a path leads elsewhere than to a name in its directory. */
  def leads(segment: String): Boolean = segment.isEmpty || segment == "." || segment == ".."

  def text(bytes: Array[Byte], file: Path): String = {
    if (bytes.length > MaxBytes) throw new IOException(s"$file is larger than $MaxBytes bytes")
    try UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString.replaceFirst("\\r?\\n\\z", "")
    catch {
      case _: CharacterCodingException => throw new IOException(s"$file is not UTF-8 text")
    }
  }
}
