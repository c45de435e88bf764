package io.apisink.metrics

import java.util.Locale

/** Numbers as people read them. */
private[metrics] object Units {

  private val ByteUnits = Seq("B", "KiB", "MiB", "GiB", "TiB", "PiB")

  def bytes(count: Long): String = {
    val unit = ByteUnits.indices.reverse.find(n => count >= (1L << (10 * n))).getOrElse(0)
    if (unit == 0) s"$count B"
    else "%.1f %s".formatLocal(Locale.ROOT, count.toDouble / (1L << (10 * unit)), ByteUnits(unit))
  }

  /** Three digits or so of a time in milliseconds. */
  def time(millis: Double): String = {
    def text(number: Double, unit: String) =
      s"${"%.3g".formatLocal(Locale.ROOT, number).replaceAll("(\\.\\d*?)0+$", "$1").stripSuffix(".")} $unit"
    if (millis < 1000) text(millis, "ms")
    else if (millis < 60000) text(millis / 1000, "s")
    else if (millis < 3600000) s"${(millis / 60000).toLong} min ${(millis % 60000 / 1000).toLong} s"
    else s"${(millis / 3600000).toLong} h ${(millis % 3600000 / 60000).toLong} min"
  }
}
