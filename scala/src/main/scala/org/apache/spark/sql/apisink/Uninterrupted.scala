package org.apache.spark.sql.apisink

import org.apache.spark.util.UninterruptibleThread

/**
 * Work on a task's thread that an interrupt must not cut. Spark interrupts the threads of tasks that it kills, more than
 * once where it likes to, and a write that meets the interrupt fails: channels close, file systems give up.
 */
object Uninterrupted {

  /**
   * Does the work. An interrupt that comes before or amid it waits until it is done. On a thread that is not one of
   * Spark's, one that comes amid it does not.
   */
  def run[T](work: => T): T = Thread.currentThread() match {
    case thread: UninterruptibleThread => thread.runUninterruptibly(work)
    case thread =>
      val before = Thread.interrupted()
      try work
      finally if (before) thread.interrupt()
  }
}
