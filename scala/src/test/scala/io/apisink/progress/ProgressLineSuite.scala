package io.apisink.progress

import io.apisink.Outcomes
import org.scalatest.funsuite.AnyFunSuite

final class ProgressLineSuite extends AnyFunSuite {

  test("a line tells share, rate, failures, retries and the time left") {
    val some = Outcomes(rows = 45000, success = 44990, httpError = 10, attempts = 45100)
    assert(ProgressLine.of(some, Some(100000L), 150, 300) ==
      "45% answered (45,000 of 100,000 rows), 300/s, 10 failed, 45,100 attempts, 2 min 30 s so far, about 3 min 3 s left")
  }

  test("without a total, failures or retries a line says less") {
    val some = Outcomes(rows = 7, success = 7, attempts = 5, resumed = 2)
    assert(ProgressLine.of(some, None, 10.4, 0.7) == "7 rows answered, 1/s, 10 s so far")
    assert(ProgressLine.of(some, Some(7), 10000, 0) == "100% answered (7 of 7 rows), 0/s, 2 h 46 min so far")
  }
}
