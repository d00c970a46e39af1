/** What is secret in the database, and the key that it is encrypted with. */
@NullMarked
package dev.countersign.server.secrets;

import org.jspecify.annotations.NullMarked;
