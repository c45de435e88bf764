package io.apisink.spark

import scala.jdk.CollectionConverters._

import io.apisink.{ConfigException, NearestName}
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/** Which config a write or read names. */
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
 * Options of a write. No case class: values may hold credentials.
 *
 * @param overrides options `set.<section>.<key>`: keys of the config and the values that count instead
 * @param runId option `runId`; none lets the run's id be derived
 * @param takeOver option `takeOver`: the driver that holds the run is dead, whatever its lock says
 * @param dryRun option `dryRun`: requests are rendered and not sent
 * @param rowsOfConfig option `rows` with the value `config`: the DataFrame is what `tables.source` names, as
 *   [[io.apisink.ApiSink]] reads it
 * @param result option `result`: the name under which the run's result can be read once, see [[RunResults]]
 */
final class WriteOptions(
    val config: ConfigOption,
    val overrides: Seq[(String, String)],
    val runId: Option[String],
    val takeOver: Boolean,
    val dryRun: Boolean,
    val rowsOfConfig: Boolean,
    val result: Option[String]
)

/** Options of a read. Their names are not among those of a write: Spark does not say for which of both it asks. */
sealed trait ReadOptions

object ReadOptions {

  /**
   * @param directory option `journal`: a run's directory
   * @param manifest option `manifest`: number of a manifest in it; none for all that was journaled
   */
  final case class Journal(directory: String, manifest: Option[Int]) extends ReadOptions

  /** Option `tablesOf`, the path of a config, with `set.<section>.<key>`: the tables that it names. */
  final class Tables(val config: ConfigOption, val overrides: Seq[(String, String)]) extends ReadOptions

  /** Option `resultOf`: the name that a write gave its result. */
  final case class Result(name: String) extends ReadOptions
}

/** The options of `format("apisink")`. Names ignore case, as everywhere in Spark; unknown ones are refused. */
object ApiSinkOptions {

  private val Config = "config"
  private val ConfigText = "configText"
  private val RunId = "runId"
  private val TakeOver = "takeOver"
  private val DryRun = "dryRun"
  private val Rows = "rows"
  private val Result = "result"
  private val Journal = "journal"
  private val TablesOf = "tablesOf"
  private val ResultOf = "resultOf"
  private val Manifest = "manifest"
  private val Set = "set."

  def forWrite(options: CaseInsensitiveStringMap): WriteOptions = {
    refuseUnknown(options, Seq(Config, ConfigText, RunId, TakeOver, DryRun, Rows, Result), "write")
    new WriteOptions(
      config(options).getOrElse {
        throw new ConfigException(
          "OPTION_CONFIG",
          s"neither 'config' nor 'configText' is given (given: ${names(options)})",
          "Write .option(\"config\", \"path/to/config.yaml\")."
        )
      },
      overrides(options),
      Option(options.get(RunId)).map(io.apisink.spark.RunId.checked),
      flag(options, TakeOver, "true only when the driver that holds the run is dead"),
      flag(options, DryRun, "true to render requests and send nothing"),
      Option(options.get(Rows)).exists {
        case Config => true
        case other => throw new ConfigException(
            "OPTION_ROWS",
            s"the option '$Rows' is '$other'",
            s"Leave it out, or write '$Config' when the DataFrame is what tables.source names."
          )
      },
      Option(options.get(Result))
    )
  }

  /** Whether options are those of a read. */
  def isRead(options: CaseInsensitiveStringMap): Boolean =
    Seq(Journal, TablesOf, ResultOf).exists(options.containsKey(_))

  def forRead(options: CaseInsensitiveStringMap): ReadOptions =
    Seq(Journal, TablesOf, ResultOf).filter(options.containsKey(_)) match {
      case Seq(Journal) =>
        refuseUnknown(options, Seq(Journal, Manifest), "read of a journal")
        ReadOptions.Journal(options.get(Journal), manifest(options))
      case Seq(TablesOf) =>
        refuseUnknown(options, Seq(TablesOf), "read of a config's tables")
        new ReadOptions.Tables(ConfigOption.File(options.get(TablesOf)), overrides(options))
      case Seq(ResultOf) =>
        refuseUnknown(options, Seq(ResultOf), "read of a result")
        ReadOptions.Result(options.get(ResultOf))
      case _ => throw new ConfigException(
          "OPTION_READ",
          s"a read of format apisink needs one of the options '$Journal' (a run's directory: what it has journaled)," +
            s" '$TablesOf' (a config: the tables that it names) and '$ResultOf' (given: ${names(options)})",
          "The answers of finished runs are in the sink: read the Delta table."
        )
    }

  private def config(options: CaseInsensitiveStringMap): Option[ConfigOption] =
    (Option(options.get(Config)), Option(options.get(ConfigText))) match {
      case (Some(path), None) => Some(ConfigOption.File(path))
      case (None, Some(text)) => Some(new ConfigOption.Text(text))
      case (None, None) => None
      case (Some(_), Some(_)) =>
        throw new ConfigException(
          "OPTION_CONFIG",
          "both 'config' and 'configText' are given",
          "Give one of them: 'config' is the path of a file, 'configText' is the config itself."
        )
    }

  /** As they are written: names of headers and parameters mind their case. */
  private def overrides(options: CaseInsensitiveStringMap): Seq[(String, String)] =
    options.asCaseSensitiveMap().asScala.toSeq.sortBy(_._1).collect {
      case (name, value) if isOverride(name) => name.drop(Set.length) -> value
    }

  private def manifest(options: CaseInsensitiveStringMap): Option[Int] = Option(options.get(Manifest)).map { number =>
    number.toIntOption.filter(_ >= 0).getOrElse {
      throw new ConfigException(
        "OPTION_MANIFEST",
        s"the option '$Manifest' is '$number', not the number of a manifest",
        "Leave it out to see all that the run has journaled."
      )
    }
  }

  private def flag(options: CaseInsensitiveStringMap, name: String, hint: String): Boolean =
    Option(options.get(name)).exists { value =>
      value.toBooleanOption.getOrElse {
        throw new ConfigException("OPTION_FLAG", s"the option '$name' is neither true nor false", s"Write $hint.")
      }
    }

  private def isOverride(name: String): Boolean =
    name.length > Set.length && name.take(Set.length).equalsIgnoreCase(Set)

  private def refuseUnknown(options: CaseInsensitiveStringMap, known: Seq[String], use: String): Unit = {
    val unknown = options.asCaseSensitiveMap().keySet().asScala.toSeq.sorted
      .filterNot(name =>
        known.exists(
          _.equalsIgnoreCase(name)
        ) || ((known.contains(Config) || known.contains(TablesOf)) && isOverride(name))
      )
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
