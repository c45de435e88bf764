package io.apisink.spark

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue

import io.apisink.RunResult

/**
 * Results of writes that gave them a name (option `result`), for the caller that waits for the write to end.
 *
 * Process-wide state of the driver: the last [[RunResults.Most]] results, small and free of credentials.
 */
private[apisink] object RunResults {

  private val Most = 1000
  private val results = new ConcurrentHashMap[String, RunResult]
  private val names = new ConcurrentLinkedQueue[String]

  def put(name: String, result: RunResult): Unit = {
    results.put(name, result)
    names.add(name)
    while (names.size > Most) Option(names.poll()).foreach(results.remove)
  }

  def find(name: String): Option[RunResult] = Option(results.get(name))
}
