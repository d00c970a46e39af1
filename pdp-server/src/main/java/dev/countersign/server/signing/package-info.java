/** The keys of the servers, and the tokens that they sign with them. */
@NullMarked
package dev.countersign.server.signing;

import org.jspecify.annotations.NullMarked;
