package io.apisink.journal

/**
 * Which rows that an earlier task attempt journaled are answers that a later one takes over.
 *
 * Rows that could not be sent are not: the later attempt looks at them anew, at no cost.
 *
 * @param resend answers that are sent for again: words of [[ResumeRule.Words]], from `execution.resend_on_resume`
 */
final case class ResumeRule(resend: Seq[String]) {

  private val transportErrors = resend.contains(ResumeRule.TransportError)
  private val serverErrors = resend.contains(ResumeRule.ServerError)

  /** @param status none when there was no HTTP answer */
  def isAnswer(outcome: String, status: => Option[Int]): Boolean = outcome match {
    case "invalid_row" => false
    case "transport_error" => !transportErrors
    case "http_error" => !serverErrors || !status.exists(s => s >= 500 && s <= 599)
    case _ => true
  }
}

object ResumeRule {

  private val TransportError = "transport_error"
  private val ServerError = "http_5xx"

  /** What `execution.resend_on_resume` may hold. */
  val Words: Seq[String] = Seq(TransportError, ServerError)

  /** Every answer is taken over. */
  val KeepAll: ResumeRule = ResumeRule(Nil)
}
