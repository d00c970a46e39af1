/** What tenants say of the actions that requests name: class, risk, schema of the arguments, digest profile. */
@NullMarked
package dev.countersign.server.actions;

import org.jspecify.annotations.NullMarked;
