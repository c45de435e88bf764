package io.apisink;

/** The source's or the journal's schema does not fit. */
public class SchemaException extends ApiSinkException {
  private static final long serialVersionUID = 1L;

  public SchemaException(String code, String message, String hint) {
    super(code, message, hint);
  }
}
