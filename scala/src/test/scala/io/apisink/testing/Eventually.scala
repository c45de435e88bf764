package io.apisink.testing

import scala.annotation.tailrec

/** Waits for what another thread or process does. */
object Eventually {

  /** Nothing that a test waits for takes this long unless something is broken; in milliseconds. */
  val Patience = 60000L

  /** Looks again and again until the condition holds; fails with `what` when it never does. */
  def until(what: => String)(condition: => Boolean): Unit = {
    val deadline = System.nanoTime() + Patience * 1000000
    @tailrec def look(): Unit =
      if (!condition) {
        if (System.nanoTime() > deadline) throw new AssertionError(s"waited in vain: $what")
        Thread.`yield`()
        java.util.concurrent.locks.LockSupport.parkNanos(5000000)
        look()
      }
    look()
  }
}
