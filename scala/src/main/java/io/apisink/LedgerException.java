package io.apisink;

/** The ledger of a run forbids what was asked: another config under the same run id, a damaged or foreign record. */
public class LedgerException extends ApiSinkException {
  private static final long serialVersionUID = 1L;

  public LedgerException(String code, String message, String hint) {
    super(code, message, hint);
  }

  public LedgerException(String code, String message, String hint, Throwable cause) {
    super(code, message, hint, cause);
  }
}
