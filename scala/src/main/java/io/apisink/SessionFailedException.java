package io.apisink;

/** A native session cannot go on; the task attempt fails. */
public class SessionFailedException extends ApiSinkException {
  private static final long serialVersionUID = 1L;

  public SessionFailedException(String code, String message, String hint) {
    super(code, message, hint);
  }
}
