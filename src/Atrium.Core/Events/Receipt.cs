namespace Atrium.Core.Events;

/// <summary>
/// Keeps the answer to a request in the transaction of the change that it asked for: after any crash there is both or neither.
/// </summary>
/// <param name="Key">The hash that the caller's idempotency key is known by.</param>
/// <param name="Owner">The mark of this attempt: only who reserved the key keeps an answer under it.</param>
/// <param name="Seal">The answer, sealed, that the result of the change makes; null when it makes none that is kept.</param>
public sealed record Receipt(SecretHash Key, SecretHash Owner, Func<object?, KeptAnswer?> Seal);

/// <summary>An answer as it is stored: encrypted, because it may hold a secret.</summary>
public sealed record KeptAnswer(int Status, byte[] SealedBody);
