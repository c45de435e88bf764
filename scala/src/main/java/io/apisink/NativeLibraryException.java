package io.apisink;

/** The native library could not be loaded, or is not the one this jar was built with. */
public class NativeLibraryException extends ApiSinkException {
  private static final long serialVersionUID = 1L;

  public NativeLibraryException(String code, String message, String hint) {
    super(code, message, hint);
  }

  public NativeLibraryException(String code, String message, String hint, Throwable cause) {
    super(code, message, hint, cause);
  }
}
