/** What the server measures. */
@NullMarked
package dev.countersign.server.metrics;

import org.jspecify.annotations.NullMarked;
