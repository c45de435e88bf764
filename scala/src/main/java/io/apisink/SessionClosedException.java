package io.apisink;

/** A native session was used after it was closed. */
public class SessionClosedException extends ApiSinkException {
  private static final long serialVersionUID = 1L;

  public SessionClosedException(String code, String message, String hint) {
    super(code, message, hint);
  }
}
