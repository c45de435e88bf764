package io.apisink.progress

import java.util.Locale

import io.apisink.Outcomes

/** The line that tells how far a run is. Pure. */
object ProgressLine {

  /**
   * @param total source rows, where they were counted
   * @param seconds since the run was opened
   * @param recent rows per second of late
   */
  def of(outcomes: Outcomes, total: Option[Long], seconds: Double, recent: Double): String = {
    val passed = outcomes.rows + outcomes.skipped
    val failed = outcomes.failed
    val parts = Seq(
      Some(share(passed, total)),
      Some("%,.0f/s".formatLocal(Locale.ROOT, recent)),
      Option.when(failed > 0)(s"${grouped(failed)} failed"),
      Option.when(outcomes.attempts > outcomes.rows - outcomes.resumed - outcomes.invalidRow) {
        s"${grouped(outcomes.attempts)} attempts"
      },
      Some(s"${duration(seconds)} so far"),
      left(passed, total, recent)
    )
    parts.flatten.mkString(", ")
  }

  private def share(rows: Long, total: Option[Long]): String = total match {
    case Some(all) if all > 0 =>
      val percent = math.min(100, rows * 100 / all)
      s"$percent% answered (${grouped(rows)} of ${grouped(all)} rows)"
    case _ => s"${grouped(rows)} rows answered"
  }

  private def left(rows: Long, total: Option[Long], recent: Double): Option[String] =
    total.filter(_ > rows && recent > 0).map(all => s"about ${duration((all - rows) / recent)} left")

  private def grouped(count: Long): String = "%,d".formatLocal(Locale.ROOT, count)

  private def duration(seconds: Double): String = {
    val whole = math.round(seconds)
    if (whole < 120) s"$whole s"
    else if (whole < 7200) s"${whole / 60} min ${whole % 60} s"
    else s"${whole / 3600} h ${whole % 3600 / 60} min"
  }
}
