using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Atrium.Core.Imports;

namespace Atrium.Server.Transfer;

/// <summary>Which line of the file claims what. A claim is kept as half of its SHA-256: a million people need no more memory than a server has.</summary>
internal sealed class ImportLedger
{
    private readonly Dictionary<UInt128, long> lines = [];

    /// <summary>Enters a line's claims; the first that was made before is the problem.</summary>
    public ImportProblem? Enter(long line, IEnumerable<Claim> claims)
    {
        foreach (Claim claim in claims)
        {
            if (lines.TryAdd(Digest(claim.Key), line))
                continue;
            long first = lines[Digest(claim.Key)];
            string where = first == line ? "this line" : $"line {first}";
            return new ImportProblem(
                line, claim.Field, claim.Key.Kind == ClaimKind.MembershipPair ? $"is the same membership as on {where}" : $"is on {where} already");
        }

        return null;
    }

    /// <summary>The line that makes a claim; null when none above does.</summary>
    public long? LineOf(ClaimKey key) => lines.TryGetValue(Digest(key), out long line) ? line : null;

    private static UInt128 Digest(ClaimKey key) =>
        BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{(int)key.Kind}\n{key.Value}")));
}
