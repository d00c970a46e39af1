/** The certificate that the server shows to its clients. */
@NullMarked
package dev.countersign.server.tls;

import org.jspecify.annotations.NullMarked;
