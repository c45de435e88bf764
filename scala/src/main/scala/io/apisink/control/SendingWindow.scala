package io.apisink.control

import java.time.{DateTimeException, DayOfWeek, Duration, LocalTime, ZoneId, ZonedDateTime}

import io.apisink.ConfigException

/**
 * The hours in which rows are sent. Pure.
 *
 * @param until a time before `from` is one of the next day
 * @param days on which the window begins
 */
final case class SendingWindow(from: LocalTime, until: LocalTime, zone: ZoneId, days: Set[DayOfWeek]) {

  def isOpen(now: ZonedDateTime): Boolean = {
    val there = now.withZoneSameInstant(zone)
    val (day, time) = (there.getDayOfWeek, there.toLocalTime)
    if (from.isBefore(until)) days(day) && !time.isBefore(from) && time.isBefore(until)
    else days(day) && !time.isBefore(from) || days(day.minus(1)) && time.isBefore(until)
  }

  /** When it opens next, seen from a moment at which it is closed. */
  def opens(now: ZonedDateTime): ZonedDateTime = {
    val there = now.withZoneSameInstant(zone)
    Iterator.from(0)
      .map(later => there.toLocalDate.plusDays(later.toLong).atTime(from).atZone(zone))
      .filter(start => days(start.getDayOfWeek) && Duration.between(there, start).compareTo(Duration.ZERO) > 0)
      .next()
  }

  override def toString: String = s"$from to $until $zone"
}

object SendingWindow {

  private val Days = Seq("mon", "tue", "wed", "thu", "fri", "sat", "sun").zip(DayOfWeek.values()).toMap

  /** @throws ConfigException when nobody knows the time zone */
  def of(from: String, until: String, timeZone: String, days: Seq[String]): SendingWindow = {
    val zone =
      try ZoneId.of(timeZone)
      catch {
        case e: DateTimeException => throw new ConfigException(
            "SENDING_WINDOW",
            s"execution.sending_window.time_zone is '$timeZone', which is no time zone: ${e.getMessage}",
            "Write a name of the tz database, such as Europe/Berlin."
          )
      }
    SendingWindow(LocalTime.parse(from), LocalTime.parse(until), zone, days.flatMap(Days.get).toSet)
  }
}
