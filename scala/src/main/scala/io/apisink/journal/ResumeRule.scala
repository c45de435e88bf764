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
  private val unauthorized = resend.contains(ResumeRule.Unauthorized)

  /** @param status none when there was no HTTP answer */
  def isAnswer(outcome: String, status: => Option[Int]): Boolean = outcome match {
    case "invalid_row" => false
    case "transport_error" => !transportErrors
    case "http_error" => !status.exists(isResent)
    case _ => true
  }

  private def isResent(status: Int): Boolean =
    serverErrors && status >= 500 && status <= 599 || unauthorized && (status == 401 || status == 403)
}

object ResumeRule {

  private val TransportError = "transport_error"
  private val ServerError = "http_5xx"
  private val Unauthorized = "unauthorized"

  /** What `execution.resend_on_resume` may hold. */
  val Words: Seq[String] = Seq(TransportError, ServerError, Unauthorized)

  /** Every answer is taken over. */
  val KeepAll: ResumeRule = ResumeRule(Nil)
}
