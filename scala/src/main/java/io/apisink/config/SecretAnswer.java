package io.apisink.config;

import java.util.Objects;

/** What a {@link SecretProvider} says: a value, or why it has none. Prints no value. */
public final class SecretAnswer {

  private final String value;
  private final String why;

  private SecretAnswer(String value, String why) {
    this.value = value;
    this.why = why;
  }

  /** The secret's value. */
  public static SecretAnswer found(String value) {
    return new SecretAnswer(Objects.requireNonNull(value, "value"), null);
  }

  /**
   * The store does not have the secret.
   *
   * @param why for people, without a full stop; names what was looked for, never a value
   */
  public static SecretAnswer absent(String why) {
    return new SecretAnswer(null, Objects.requireNonNull(why, "why"));
  }

  public boolean isFound() {
    return value != null;
  }

  /** The value; null when there is none. */
  public String value() {
    return value;
  }

  /** Why there is no value; null when there is one. */
  public String why() {
    return why;
  }

  @Override
  public String toString() {
    return isFound() ? "found ***" : "absent: " + why;
  }
}
