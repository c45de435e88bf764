package io.apisink.metrics

import org.scalatest.funsuite.AnyFunSuite

final class UnitsSuite extends AnyFunSuite {

  test("bytes") {
    assert(Seq(0L, 1023L, 1024L, 1536L, 5L << 40).map(Units.bytes) == Seq(
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "5.0 TiB"
    ))
  }

  test("times") {
    val millis = Seq(0.0, 0.5, 3.0, 12.34, 999.0, 1000.0, 59500.0, 61000.0, 7260000.0)
    val texts = Seq("0 ms", "0.5 ms", "3 ms", "12.3 ms", "999 ms", "1 s", "59.5 s", "1 min 1 s", "2 h 1 min")
    assert(millis.map(Units.time) == texts)
  }
}
