package io.apisink.spark

import scala.jdk.CollectionConverters._

import io.apisink.{ConfigException, NearestName}
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/** Which config a write names. */
sealed trait ConfigOption

object ConfigOption {

  /** Option `config`: a path on any Hadoop file system. */
  final case class File(path: String) extends ConfigOption

  /** Option `configText`: the config itself. No case class: it may hold literal credentials. */
  final class Text(val text: String) extends ConfigOption {
    override def toString: String = "Text(…)"
  }
}

/**
 * Options of a write.
 *
 * @param runId option `runId`; none lets the run's id be derived
 * @param takeOver option `takeOver`: the driver that holds the run is dead, whatever its lock says
 */
final class WriteOptions(val config: ConfigOption, val runId: Option[String], val takeOver: Boolean)

/**
 * Options of a read of the journal.
 *
 * @param journal option `journal`: a run's directory
 * @param manifest option `manifest`: number of a manifest in it; none for all that was journaled
 */
final case class ReadOptions(journal: String, manifest: Option[Int])

/** The options of `format("apisink")`. Names ignore case, as everywhere in Spark; unknown ones are refused. */
object ApiSinkOptions {

  private val Config = "config"
  private val ConfigText = "configText"
  private val RunId = "runId"
  private val TakeOver = "takeOver"
  private val Journal = "journal"
  private val Manifest = "manifest"

  def forWrite(options: CaseInsensitiveStringMap): WriteOptions = {
    refuseUnknown(options, Seq(Config, ConfigText, RunId, TakeOver), "write")
    val config = (Option(options.get(Config)), Option(options.get(ConfigText))) match {
      case (Some(path), None) => ConfigOption.File(path)
      case (None, Some(text)) => new ConfigOption.Text(text)
      case (Some(_), Some(_)) =>
        throw new ConfigException(
          "OPTION_CONFIG",
          "both 'config' and 'configText' are given",
          "Give one of them: 'config' is the path of a file, 'configText' is the config itself."
        )
      case (None, None) =>
        throw new ConfigException(
          "OPTION_CONFIG",
          s"neither 'config' nor 'configText' is given (given: ${names(options)})",
          "Write .option(\"config\", \"path/to/config.yaml\")."
        )
    }
    val runId = Option(options.get(RunId)).map(io.apisink.spark.RunId.checked)
    new WriteOptions(config, runId, takeOver(options))
  }

  private def takeOver(options: CaseInsensitiveStringMap): Boolean = Option(options.get(TakeOver)).exists { value =>
    value.toBooleanOption.getOrElse {
      throw new ConfigException(
        "OPTION_TAKE_OVER",
        s"the option '$TakeOver' is neither true nor false",
        s"Write .option(\"$TakeOver\", true) only when the driver that holds the run is dead."
      )
    }
  }

  /** Whether options are those of a read: a write names no journal. */
  def isRead(options: CaseInsensitiveStringMap): Boolean = options.containsKey(Journal)

  def forRead(options: CaseInsensitiveStringMap): ReadOptions = {
    refuseUnknown(options, Seq(Journal, Manifest), "read")
    val journal = Option(options.get(Journal)).getOrElse {
      throw new ConfigException(
        "OPTION_JOURNAL",
        s"reading format apisink shows a run's journal and needs 'journal', the run's directory (given: ${names(options)})",
        "The answers of finished runs are in the sink: read the Delta table."
      )
    }
    val manifest = Option(options.get(Manifest)).map { number =>
      number.toIntOption.filter(_ >= 0).getOrElse {
        throw new ConfigException(
          "OPTION_JOURNAL",
          s"the option '$Manifest' is '$number', not the number of a manifest",
          "Leave it out to see all that the run has journaled."
        )
      }
    }
    ReadOptions(journal, manifest)
  }

  private def refuseUnknown(options: CaseInsensitiveStringMap, known: Seq[String], use: String): Unit = {
    val unknown = options.asCaseSensitiveMap().keySet().asScala.toSeq.sorted
      .filterNot(name => known.exists(_.equalsIgnoreCase(name)))
    unknown.headOption.foreach {
      case path if path.equalsIgnoreCase("path") || path.equalsIgnoreCase("paths") =>
        throw new ConfigException(
          "OPTION_UNKNOWN",
          s"a path is given to a $use of format apisink, which takes none",
          if (use == "write") "Write .save() without a path: tables.sink in the config says where answers go."
          else "Write .load() without a path."
        )
      case name =>
        val nearest = NearestName.find(name, known).map(n => s"Did you mean '$n'? ").getOrElse("")
        throw new ConfigException(
          "OPTION_UNKNOWN",
          s"format apisink has no option '$name' for a $use",
          s"${nearest}Options are ${known.map(n => s"'$n'").mkString(", ")}."
        )
    }
  }

  /** Names only: values may hold credentials. */
  private def names(options: CaseInsensitiveStringMap): String = {
    val all = options.asCaseSensitiveMap().keySet().asScala.toSeq.sorted
    if (all.isEmpty) "no option" else all.mkString(", ")
  }
}
