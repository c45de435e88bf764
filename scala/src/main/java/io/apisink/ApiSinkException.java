package io.apisink;

/**
 * What apisink throws on purpose. The message names a stable code, what is wrong and what to do instead:
 *
 * <pre>
 * [CODE] message
 * hint
 * </pre>
 *
 * <p>Native code throws this class and its subclasses through the constructor of three strings; its signature is part
 * of the contract with the native library. Messages hold no credential.
 *
 * <p>An {@link IllegalArgumentException}, for what is thrown on the driver is a refusal of what was asked, and PySpark
 * shows an exception of that class by its message, without a Java stack trace.
 */
public class ApiSinkException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String code;
  private final String hint;

  /**
   * @param code stable word for the kind of problem, such as {@code CONFIG}
   * @param message what is wrong and where
   * @param hint what to do instead; may be empty
   */
  public ApiSinkException(String code, String message, String hint) {
    this(code, message, hint, null);
  }

  /** As the constructor without {@code cause}, for Java and Scala callers. */
  public ApiSinkException(String code, String message, String hint, Throwable cause) {
    super(hint == null || hint.isEmpty() ? "[" + code + "] " + message : "[" + code + "] " + message + "\n" + hint, cause);
    this.code = code;
    this.hint = hint == null ? "" : hint;
  }

  /** The stable code. */
  public String code() {
    return code;
  }

  /** What to do instead; may be empty. */
  public String hint() {
    return hint;
  }
}
