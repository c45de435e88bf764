package io.apisink.jni;

import java.util.Locale;

/** Operating system and architecture, in the words of the jar's {@code native/<os>-<arch>/} folders. */
final class Platform {

  private Platform() {}

  /** The folder of this JVM's platform, such as {@code linux-x86_64}. */
  static String current() {
    return of(System.getProperty("os.name", "unknown"), System.getProperty("os.arch", "unknown"));
  }

  /** The folder for the values of the system properties {@code os.name} and {@code os.arch}. */
  static String of(String osName, String osArch) {
    String os = osName.toLowerCase(Locale.ROOT);
    if (os.startsWith("linux")) {
      os = "linux";
    } else if (os.startsWith("mac")) {
      os = "macos";
    } else {
      os = os.replace(' ', '_');
    }
    String arch = osArch.toLowerCase(Locale.ROOT);
    if (arch.equals("amd64")) {
      arch = "x86_64";
    } else if (arch.equals("arm64")) {
      arch = "aarch64";
    }
    return os + "-" + arch;
  }
}
