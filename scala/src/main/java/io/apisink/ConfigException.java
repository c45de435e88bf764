package io.apisink;

/** The config, an option or a setting of the session is refused; nothing was sent. */
public class ConfigException extends ApiSinkException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String code, String message, String hint) {
    super(code, message, hint);
  }

  public ConfigException(String code, String message, String hint, Throwable cause) {
    super(code, message, hint, cause);
  }
}
