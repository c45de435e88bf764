package io.apisink.config;

/**
 * A store of secrets: what stands behind {@code {{secret.SCOPE:KEY}}} in a config.
 *
 * <p>Beside the built-in ones ({@code databricks}, {@code hadoop}, {@code environment}, {@code files}) there may be
 * others: a public class with a constructor without parameters, named in the resource {@code
 * META-INF/services/io.apisink.config.SecretProvider} of a jar on the driver's class path.
 *
 * <p>Used on the driver only, by one thread, each time a write is planned (EXPLAIN included): a provider reads and
 * changes nothing. A new object is made for each planning.
 */
public interface SecretProvider {

  /** The word that settings and messages call it by, such as {@code vault}. Unique among the providers. */
  String name();

  /** Called once, before the first {@link #find}. */
  default void open(SecretSettings settings) {}

  /**
   * Looks a secret up.
   *
   * @return the value, or why this store does not have it: then the next provider is asked
   * @throws Exception when the store should have been asked and could not be. The search ends there, for another store
   *     must not answer in its place. The message reaches people: it may hold no secret
   */
  SecretAnswer find(String scope, String key) throws Exception;
}
