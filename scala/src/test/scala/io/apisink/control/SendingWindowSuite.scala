package io.apisink.control

import java.time.ZonedDateTime

import io.apisink.ConfigException
import org.scalatest.funsuite.AnyFunSuite

final class SendingWindowSuite extends AnyFunSuite {

  private def at(text: String): ZonedDateTime = ZonedDateTime.parse(text)

  private val office =
    SendingWindow.of("08:00", "18:00", "Europe/Berlin", Seq("mon", "tue", "wed", "thu", "fri"))

  test("a window is open in its own time zone, from its beginning to before its end") {
    // A Wednesday in winter: Berlin is an hour ahead of UTC.
    assert(!office.isOpen(at("2026-11-25T06:59:59Z")) && office.isOpen(at("2026-11-25T07:00:00Z")))
    assert(office.isOpen(at("2026-11-25T16:59:59Z")) && !office.isOpen(at("2026-11-25T17:00:00Z")))
    // In summer two hours.
    assert(office.isOpen(at("2026-07-01T06:00:00Z")) && !office.isOpen(at("2026-07-01T16:00:00Z")))
  }

  test("days are those on which it begins; over midnight it goes on into the next day") {
    assert(!office.isOpen(at("2026-11-28T11:00:00Z")))
    val nights = SendingWindow.of("22:00", "06:00", "UTC", Seq("fri"))
    assert(nights.isOpen(at("2026-11-27T23:00:00Z")) && nights.isOpen(at("2026-11-28T05:59:00Z")))
    assert(!nights.isOpen(at("2026-11-27T05:00:00Z")) && !nights.isOpen(at("2026-11-28T23:00:00Z")))
  }

  test("it says when it opens next") {
    def opens(now: String): String = office.opens(at(now)).toInstant.toString
    assert(opens("2026-11-25T05:00:00Z") == "2026-11-25T07:00:00Z")
    assert(opens("2026-11-27T20:00:00Z") == "2026-11-30T07:00:00Z")
  }

  test("a time zone that nobody knows is refused") {
    val refused = intercept[ConfigException](SendingWindow.of("08:00", "18:00", "Europe/Berlni", Seq("mon")))
    assert(refused.getMessage.contains("Europe/Berlni"))
  }
}
