/** The Java SDK: asks a policy decision point over HTTP. */
@NullMarked
package dev.countersign.client;

import org.jspecify.annotations.NullMarked;
