using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Atrium.Core;

/// <summary>A thing that has an id of its own; the prefix is how the id shows on every door.</summary>
public interface IIdentified
{
    static abstract string IdPrefix { get; }
}

/// <summary>
/// The id of a <typeparamref name="T"/>: a UUIDv7 (RFC 9562 section 5.7), shown as the type's prefix and 25 lower-case base-36 digits.
/// Made by the server, never reused, and one and the same on every door.
/// </summary>
public readonly record struct Id<T>(Guid Value)
    where T : IIdentified
{
    /// <summary>The zero digits in front are part of the text: every id of a kind has the same length.</summary>
    public const int Digits = 25;

    /// <summary>36 to the twelfth.</summary>
    private const ulong TwelveDigits = 4_738_381_338_321_616_896;

    /// <summary>How far a clock may be behind the last id before it counts as set back, and ids follow it again.</summary>
    private const long LargestLead = 10_000L << SequenceBits;

    private const int SequenceBits = 12;

    /// <summary>Where each clock's ids stand; a process has one clock, but tests have many.</summary>
    private static readonly ConditionalWeakTable<TimeProvider, StrongBox<long>> Last = new();

    /// <summary>
    /// A new id, greater than every one of its kind that this process made before: the 12 bits behind the millisecond count on within it
    /// (RFC 9562 section 6.2, method 1), so that lists ordered by id are in the order in which things were made.
    /// </summary>
    public static Id<T> New(TimeProvider clock)
    {
        DateTimeOffset now = clock.GetUtcNow();
        long moment = now.ToUnixTimeMilliseconds() << SequenceBits;
        StrongBox<long> last = Last.GetOrCreateValue(clock);
        long previous, next;
        do
        {
            previous = Volatile.Read(ref last.Value);
            next = previous < moment || previous - moment > LargestLead ? moment : previous + 1;
        }
        while (Interlocked.CompareExchange(ref last.Value, next, previous) != previous);

        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(now).TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes, (next >> SequenceBits << 16) | 0x7000 | (next & ((1 << SequenceBits) - 1)));
        return new(new Guid(bytes, bigEndian: true));
    }

    /// <summary>
    /// Reads an id. Text of the right form whose value is beyond 128 bits names nothing that exists:
    /// it reads as the Max UUID (RFC 9562 section 5.10), which is never given out.
    /// </summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Id<T> id)
    {
        id = default;
        string prefix = T.IdPrefix;
        if (text is null || text.Length != prefix.Length + Digits || !text.StartsWith(prefix, StringComparison.Ordinal))
            return false;

        UInt128 value = 0;
        bool beyond = false;
        foreach (char c in text.AsSpan(prefix.Length))
        {
            int digit = c switch
            {
                >= '0' and <= '9' => c - '0',
                >= 'a' and <= 'z' => c - 'a' + 10,
                _ => -1,
            };
            if (digit < 0)
                return false;
            beyond |= value > (UInt128.MaxValue - (UInt128)digit) / 36;
            value = unchecked((value * 36) + (UInt128)digit);
        }

        if (beyond)
        {
            id = new(Guid.AllBitsSet);
            return true;
        }

        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        id = new(new Guid(bytes, bigEndian: true));
        return true;
    }

    /// <summary>An id from outside that may be missing or malformed; both name nothing.</summary>
    public static Id<T>? Parse(string? text) => TryParse(text, out Id<T> id) ? id : null;

    public override string ToString() => string.Create(T.IdPrefix.Length + Digits, Value, static (text, guid) =>
    {
        T.IdPrefix.CopyTo(text);
        Span<byte> bytes = stackalloc byte[16];
        guid.TryWriteBytes(bytes, bigEndian: true, out _);
        UInt128 value = BinaryPrimitives.ReadUInt128BigEndian(bytes);

        // Twelve digits fit into 64 bits, where a division is cheap.
        Span<char> digits = text[T.IdPrefix.Length..];
        while (!digits.IsEmpty)
        {
            (value, UInt128 low) = UInt128.DivRem(value, TwelveDigits);
            ulong part = (ulong)low;
            int count = Math.Min(12, digits.Length);
            for (int i = 1; i <= count; i++)
            {
                (part, ulong digit) = Math.DivRem(part, 36);
                digits[^i] = "0123456789abcdefghijklmnopqrstuvwxyz"[(int)digit];
            }

            digits = digits[..^count];
        }
    });
}
