package io.apisink

import io.apisink.app.{AppArguments, AppSession}

/**
 * The main class for `spark-submit --class io.apisink.App apisink.jar --config FILE`: a config's whole pipeline, with
 * exit codes that a scheduler can use. `--help` tells of both.
 */
object App {

  val Done = 0
  val Failed = 1
  val Refused = 2
  val TooManyFailed = 3

  def main(arguments: Array[String]): Unit = {
    val code = run(arguments.toSeq)
    // Only for a failure: an exit would cut short what a cluster's own shutdown still does.
    if (code != Done) System.exit(code)
  }

  /** @return the exit code */
  private[apisink] def run(arguments: Seq[String]): Int =
    try
      AppArguments.parse(arguments) match {
        case None =>
          println(AppArguments.Usage)
          Done
        case Some(parsed) => send(parsed)
      }
    catch {
      case refused @ (_: ConfigException | _: SchemaException) =>
        System.err.println(refused.getMessage)
        Refused
      case failed: ApiSinkException =>
        System.err.println(failed.getMessage)
        Failed
      case other: Throwable =>
        other.printStackTrace()
        Failed
    }

  private def send(arguments: AppArguments): Int = {
    val session = AppSession.open(arguments.config)
    try {
      val result = ApiSink.run(session, arguments.config, None, arguments.options)
      if (arguments.json) println(result.toJson)
      if (arguments.tolerance.exceeded(result.failed, result.rows)) {
        System.err.println(
          s"apisink run ${result.runId}: ${result.failed} of ${result.rows} rows failed, --max-failed is ${arguments.tolerance}"
        )
        TooManyFailed
      } else Done
    } finally session.stop()
  }
}
