package io.apisink;

/** Native code panicked. A bug in apisink: the JVM goes on, the task attempt fails. */
public class NativePanicException extends ApiSinkException {
  private static final long serialVersionUID = 1L;

  public NativePanicException(String code, String message, String hint) {
    super(code, message, hint);
  }
}
