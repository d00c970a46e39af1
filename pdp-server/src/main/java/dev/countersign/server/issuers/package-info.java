/** Callers who show a token of an issuer that a tenant has registered. */
@NullMarked
package dev.countersign.server.issuers;

import org.jspecify.annotations.NullMarked;
