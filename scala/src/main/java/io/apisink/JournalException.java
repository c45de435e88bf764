package io.apisink;

/** The journal cannot take answers, or a file of it can no longer be read. */
public class JournalException extends ApiSinkException {
  private static final long serialVersionUID = 1L;

  /** Code of a file that is gone, torn or changed: its rows are to be sent again. */
  public static final String DAMAGED = "JOURNAL_DAMAGED";

  public JournalException(String code, String message, String hint) {
    super(code, message, hint);
  }

  public JournalException(String code, String message, String hint, Throwable cause) {
    super(code, message, hint, cause);
  }
}
