package io.apisink.metrics

import com.codahale.metrics.MetricRegistry
import org.scalatest.funsuite.AnyFunSuite

final class ProcessGaugesSuite extends AnyFunSuite {

  private var time = 0L
  private var reads = 0
  private var stats = ProcessStats(0, 0, 0, 0, Traffic.none)
  private val registry = new MetricRegistry
  ProcessGauges.register(registry, () => { reads += 1; stats }, () => time)

  private def value(name: String): Any = registry.getGauges.get(name).getValue

  private def answers(count: Long, bucket: Int): Unit = {
    val more = Latencies(Map(bucket -> count))
    stats = stats.copy(traffic = stats.traffic.copy(latencies = stats.traffic.latencies + more))
  }

  test("all gauges of a moment come from one reading, the next moment has its own") {
    time += 1000
    val before = reads
    stats = stats.copy(inFlight = 7, traffic = Traffic.none.copy(attempts = 11))
    assert((value("inFlight"), value("attempts")) == ((7L, 11L)))
    registry.getGauges.values().forEach(gauge => assert(gauge.getValue != null))
    assert(reads == before + 1)
    time += 1000
    stats = stats.copy(inFlight = 3)
    assert(value("inFlight") == 3L)
  }

  test("latencies are those of the last minute") {
    def p50: Int = math.round(value("latency.p50Ms").asInstanceOf[Double]).toInt
    def millis(bucket: Int): Int = math.round(Latencies.micros(bucket) / 1000).toInt
    time += 10000
    answers(1000, 150)
    assert(p50 == millis(150))
    for (_ <- 1 to 8) {
      time += 10000
      answers(10, 120)
      value("latency.p50Ms")
    }
    assert(p50 == millis(120), "the slow ones are more than a minute old")
    for (_ <- 1 to 8) {
      time += 10000
      value("latency.p50Ms")
    }
    assert(p50 == 0, "there was none")
  }
}
