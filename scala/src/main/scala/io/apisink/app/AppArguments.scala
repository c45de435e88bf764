package io.apisink.app

import scala.annotation.tailrec

import io.apisink.{ConfigException, NearestName}

/**
 * How many rows may fail before a run is not well.
 *
 * @param share whether `limit` is a percentage of the rows, not a number of them
 */
final case class Tolerance(limit: Double, share: Boolean) {

  def exceeded(failed: Long, rows: Long): Boolean =
    if (share) failed > 0 && failed * 100.0 > limit * rows else failed > limit

  override def toString: String = {
    val number = if (limit == math.rint(limit)) limit.toLong.toString else limit.toString
    if (share) s"$number%" else number
  }
}

/** What was written after the jar. */
final case class AppArguments(
    config: String,
    options: Map[String, String],
    tolerance: Tolerance,
    json: Boolean
)

object AppArguments {

  val Usage: String =
    """Sends the rows of a config's source to its API and puts the answers into its sink.
      |
      |  spark-submit --class io.apisink.App apisink.jar --config FILE [options]
      |
      |  --config FILE         the config, on any file system that Hadoop reads
      |  --set KEY=VALUE       sets a key of the config, as in execution.partitions=8; may be given several times
      |  --run-id ID           the run's id: a run that stopped is gone on with under the same id, a finished one sends nothing
      |  --take-over           the driver that holds the run is dead, whatever its lock says
      |  --dry-run             renders the requests into a table and sends nothing
      |  --max-failed N | P%   rows that may fail, as a number or as a share of all, before the exit code is 3; 0 if not given
      |  --json                prints the result as one line of JSON on standard output
      |  --help                prints this
      |
      |Exit codes:
      |  0  every row was answered, and not too many of them failed
      |  1  the run failed; the message says how to go on
      |  2  arguments or config were refused; nothing was sent
      |  3  the run is done, but more rows failed than --max-failed allows
      |""".stripMargin

  private val Flags = Map("--take-over" -> "takeOver", "--dry-run" -> "dryRun")
  private val Values = Seq("--config", "--set", "--run-id", "--max-failed")
  private val Known = Values ++ Flags.keys ++ Seq("--json", "--help")

  /** @return none when help was asked for */
  def parse(arguments: Seq[String]): Option[AppArguments] =
    if (arguments.contains("--help") || arguments.contains("-h")) None
    else {
      val parsed = read(arguments.toList, AppArguments("", Map.empty, Tolerance(0, share = false), json = false))
      if (parsed.config.isEmpty) throw refused("--config is missing", "Write --config FILE.")
      Some(parsed)
    }

  @tailrec
  private def read(left: List[String], so: AppArguments): AppArguments = left match {
    case Nil => so
    case "--json" :: rest => read(rest, so.copy(json = true))
    case flag :: rest if Flags.contains(flag) => read(rest, so.copy(options = so.options + (Flags(flag) -> "true")))
    case s"$name=$value" :: rest if Values.contains(name) => read(name :: value :: rest, so)
    case name :: value :: rest if Values.contains(name) => read(rest, taken(so, name, value))
    case name :: Nil if Values.contains(name) => throw refused(s"$name needs a value", "See --help.")
    case other :: _ =>
      val nearest = NearestName.find(other, Known).fold("")(name => s"Did you mean $name? ")
      throw refused(s"'$other' is no argument", s"${nearest}See --help.")
  }

  private def taken(so: AppArguments, name: String, value: String): AppArguments = name match {
    case "--config" => so.copy(config = value)
    case "--run-id" => so.copy(options = so.options + ("runId" -> value))
    case "--max-failed" => so.copy(tolerance = tolerance(value))
    case _ => value match {
        case s"$key=$set" if key.nonEmpty => so.copy(options = so.options + (s"set.$key" -> set))
        case _ => throw refused(
            s"--set needs KEY=VALUE, but this is '${value.takeWhile(_ != '=')}'",
            "Write for example --set execution.partitions=8."
          )
      }
  }

  private def tolerance(text: String): Tolerance = {
    val share = text.endsWith("%")
    val limit = (if (share) text.dropRight(1).toDoubleOption else text.toLongOption.map(_.toDouble))
      .filter(n => n >= 0 && (!share || n <= 100))
    Tolerance(
      limit.getOrElse(throw refused(s"--max-failed is '$text'", "Write a number of rows, or a share such as 0.5%.")),
      share
    )
  }

  private def refused(what: String, hint: String): ConfigException = new ConfigException("ARGUMENTS", what, hint)
}
