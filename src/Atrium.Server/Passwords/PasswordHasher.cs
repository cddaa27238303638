using System.Security.Cryptography;
using System.Text;
using Atrium.Core.Users;

namespace Atrium.Server.Passwords;

/// <summary>The answer to "is this the password?".</summary>
public enum PasswordCheck
{
    Mismatch,
    Match,

    /// <summary>Nobody looked: too many are waiting already. Answer 503 with Retry-After.</summary>
    Busy,
}

/// <summary>
/// Hashes and verifies passwords, each time as slowly as an attacker shall find it. A password is hashed as the UTF-8 of its
/// Normalization Form C, so that it is the same password on every keyboard.
/// </summary>
public sealed class PasswordHasher : IDisposable
{
    private readonly HashingThreads threads;
    private readonly PasswordAlgorithm algorithm;
    private readonly PasswordHash nobodys;

    /// <param name="queueCapacity">How many may wait before the rest is turned away.</param>
    /// <param name="workers">How many hashes are computed at a time; one for each processor unless told otherwise.</param>
    /// <param name="useArgon2">False keeps to the framework's own algorithms even where Argon2 is at hand.</param>
    public PasswordHasher(int queueCapacity = 256, int? workers = null, bool useArgon2 = true)
    {
        UsesFallback = !useArgon2 || !Argon2Library.IsAvailable;
        algorithm = UsesFallback ? PasswordAlgorithm.Fallback : PasswordAlgorithm.Preferred;
        nobodys = PasswordHash.Unmatchable(algorithm);
        threads = new(workers ?? Environment.ProcessorCount, queueCapacity);
    }

    /// <summary>True without Argon2: the operator should hear of it when the server starts.</summary>
    public bool UsesFallback { get; }

    /// <summary>What passwords are hashed with, in a sentence for the log.</summary>
    public string Description => MissingForImported.Length == 0
        ? DescriptionOfOwn
        : $"{DescriptionOfOwn} {string.Join(" and ", MissingForImported)} is missing: people whose hashes came from another product and need it can't sign in.";

    private static string[] MissingForImported =>
    [
        .. CryptLibrary.IsAvailable ? [] : new[] { CryptLibrary.Name },
        .. ScryptLibrary.IsAvailable ? [] : new[] { ScryptLibrary.Name },
    ];

    private string DescriptionOfOwn => UsesFallback
        ? $"Passwords are hashed with PBKDF2 ({algorithm.Phc}) because Argon2 is not in use: attackers with graphics cards guess "
            + "faster, each sign-in takes about eight times the processor time, and hashes made with Argon2 do not verify. "
            + $"Install {Argon2Library.Name} (Debian: libargon2-1) and restart."
        : $"Passwords are hashed with Argon2 ({algorithm.Phc}).";

    /// <summary>
    /// The text to store for a password that <see cref="PasswordPolicy"/> accepted, or null when too many are waiting
    /// already: answer 503 with Retry-After.
    /// </summary>
    public async Task<string?> HashAsync(string password, CancellationToken cancellationToken) =>
        threads.TryRun(() => Hash(password), out var hashing, cancellationToken) ? await hashing : null;

    /// <summary>
    /// Compares with a stored hash. Without one (nobody has that name, or they have no password), and with one that cannot be
    /// read, the work is the same and the answer is a mismatch: the time does not tell who has an account (OWASP ASVS 6.3.8).
    /// </summary>
    public async Task<PasswordCheck> VerifyAsync(string password, string? storedHash, CancellationToken cancellationToken) =>
        threads.TryRun(() => Verify(password, storedHash), out var verifying, cancellationToken)
            ? await verifying
            : PasswordCheck.Busy;

    /// <summary>
    /// Whether a hash that just verified should be replaced by a new one of the same password, since today's parameters differ.
    /// </summary>
    public bool NeedsRehash(string storedHash) => PasswordHash.Parse(storedHash)?.IsOutdated(algorithm) ?? true;

    /// <summary>
    /// Why a hash that another product made can't be taken over, as the end of a sentence that begins with the field's name; null when passwords
    /// can be checked against it.
    /// </summary>
    public string? ProblemWith(string hash) => PasswordHash.Parse(hash) switch
    {
        null => "is in no form that is known here, or costs more than this server would bear",
        { } parsed when CanVerify(parsed) => null,
        { Algorithm.MissingLibrary: { } library } => $"needs the library {library}, which this machine does not have",
        _ => "was made with Argon2, and this server runs without it",
    };

    public void Dispose() => threads.Dispose();

    private bool CanVerify(PasswordHash hash) =>
        hash.Algorithm.MissingLibrary is null && !(UsesFallback && hash.Algorithm is PasswordAlgorithm.Argon2id);

    private string? Hash(string password) =>
        WithBytes(password, bytes => PasswordHash.TryCreate(algorithm, bytes)?.Encode());

    private PasswordCheck Verify(string password, string? storedHash)
    {
        var stored = storedHash is null ? null : PasswordHash.Parse(storedHash);
        if (stored is not null && !CanVerify(stored))
            stored = null;

        // Nobody can have chosen it, and the work must not grow with what a stranger sends.
        if (!PasswordPolicy.CanExist(password))
            (password, stored) = ("", null);

        return WithBytes(password, bytes => (stored ?? nobodys).Matches(bytes)) switch
        {
            true when stored is not null => PasswordCheck.Match,
            null => PasswordCheck.Busy,
            _ => PasswordCheck.Mismatch,
        };
    }

    // The bytes are pinned, so that the garbage collector leaves no copy behind, and gone when the work is done.
    private static T WithBytes<T>(string password, Func<ReadOnlySpan<byte>, T> work)
    {
        var normalized = NormalizationFormC.Of(password);
        var bytes = GC.AllocateUninitializedArray<byte>(Encoding.UTF8.GetByteCount(normalized), pinned: true);
        try
        {
            Encoding.UTF8.GetBytes(normalized, bytes);
            return work(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }
}
