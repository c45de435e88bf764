package io.apisink.config

import io.apisink.Outcomes
import org.scalatest.funsuite.AnyFunSuite

final class FailWhenSuite extends AnyFunSuite {

  test("nothing stops a run without limits") {
    assert(FailWhen(None, None, 1).verdict(Outcomes(rows = 100, httpError = 100)).isEmpty)
  }

  test("a number of failed rows stops it, whatever kind of failure they are") {
    val limit = FailWhen(Some(3), None, 1)
    assert(limit.verdict(Outcomes(rows = 9, success = 7, invalidRow = 2)).isEmpty)
    val why = limit.verdict(Outcomes(rows = 9, success = 6, invalidRow = 1, transportError = 2))
    assert(why.exists(_.startsWith("3 of 9 rows failed")), why)
  }

  test("a share counts after so many rows, and must be exceeded") {
    val limit = FailWhen(None, Some(0.5), 10)
    assert(limit.verdict(Outcomes(rows = 9, httpError = 9)).isEmpty)
    assert(limit.verdict(Outcomes(rows = 10, success = 5, httpError = 5)).isEmpty)
    assert(limit.verdict(Outcomes(rows = 11, success = 5, httpError = 6)).nonEmpty)
  }

  test("rows that failed before the run was gone on with do not count") {
    val before = Outcomes(rows = 100, httpError = 100, resumed = 100, resumedFailed = 100)
    assert(FailWhen(Some(1), Some(0), 1).verdict(before).isEmpty)
    assert(FailWhen(Some(1), None, 1).verdict(before.copy(rows = 101, httpError = 101)).nonEmpty)
  }
}
