package io.apisink.config;

import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** What a {@link SecretProvider} may be configured by. */
public interface SecretSettings {

  /** A setting of the Spark session, such as {@code spark.apisink.vault.address}. */
  Optional<String> get(String name);

  /** Hadoop's settings with those of the session. */
  Configuration hadoopConf();
}
