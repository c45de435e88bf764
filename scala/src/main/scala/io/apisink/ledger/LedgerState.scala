package io.apisink.ledger

/** How far a run has come. */
sealed trait LedgerState

object LedgerState {

  /** Nothing is known of the run. */
  case object Absent extends LedgerState

  /** Opened: rows may have been sent, nothing was promised to the sink. */
  case object Open extends LedgerState

  /**
   * Manifest `number` was promised to the sink and the run not finished: that comes before anything else.
   *
   * @param inSink whether the ledger knows that the sink has it; else it must be replayed
   */
  final case class Committing(number: Int, inSink: Boolean) extends LedgerState

  /** Every row is in the sink. */
  case object Done extends LedgerState
}
