using Atrium.Core.Organizations;

namespace Atrium.Core.SignIns;

/// <summary>What a rehearsal is about: a sign-in that nobody has begun yet, and all that it may depend on.</summary>
public sealed record RehearsalFacts
{
    /// <summary>The person is known, everything that they belong to is loaded, and no organization is chosen.</summary>
    public required SignInFacts Open { get; init; }

    /// <summary>The organization in question; null when there is none, or no such one.</summary>
    public Organization? Wanted { get; init; }

    public bool WantedIsShared { get; init; } = true;

    /// <summary>The facts as the engine gets them while this choice stands.</summary>
    public SignInFacts For(OrganizationChoice choice) => choice.Selected is { } selected
        ? Open with
        {
            Memberships = [.. Open.Memberships.Where(entry => entry.Organization.Id == selected)],
            ChosenOrganization = Wanted?.Id == selected ? Wanted : Open.Memberships.FirstOrDefault(entry => entry.Organization.Id == selected)?.Organization,
            ChosenIsShared = Wanted?.Id != selected || WantedIsShared,
        }
        : Open;
}

/// <summary>How a sign-in would go.</summary>
/// <param name="Steps">Each step as the engine takes it, the last one where it ends.</param>
/// <param name="Ended">The sign-in as it has become.</param>
public sealed record Rehearsed(IReadOnlyList<SignInStep> Steps, SignIn Ended);

/// <summary>
/// Goes through a sign-in with somebody who can show everything that is asked for, by the engine that decides of real ones. Pure: nothing is read,
/// written or tried.
/// </summary>
public static class SignInRehearsal
{
    /// <summary>More than any sign-in has.</summary>
    private const int MostSteps = 12;

    /// <param name="wanted">The organization to choose where one is asked for.</param>
    public static Rehearsed Of(SignIn begun, RehearsalFacts facts, Id<Organization>? wanted)
    {
        List<SignInStep> steps = [];
        SignIn at = begun;
        while (steps.Count < MostSteps)
        {
            SignInFacts now = facts.For(at.Choice);
            SignInStep step = SignInEngine.Next(at, now);
            steps.Add(step);
            SignIn? next = step switch
            {
                SignInStep.Prove prove => Shown(at, prove.Methods[0], now),

                // The app-native door has no step for it: the sign-in ends there.
                SignInStep.VerifyEmail when at.Door != Door.AppNative => Shown(at, AuthenticationMethod.EmailCode, now),
                SignInStep.ProveFactor or SignInStep.EnrolFactor => Shown(at, AuthenticationMethod.Totp, now),
                SignInStep.ChooseOrganization when wanted is { } chosen && SignInEngine.MayChoose(chosen, now) =>
                    at with { Choice = new OrganizationChoice.Chosen(chosen) },
                SignInStep.Consent consent => at with { Allowed = consent.Asked },
                _ => null,
            };
            if (next is null)
                break;
            at = next;
        }

        return new Rehearsed(steps, at);
    }

    private static SignIn Shown(SignIn signIn, AuthenticationMethod method, SignInFacts facts) =>
        signIn with { UserId = facts.User?.Id, Proofs = [.. signIn.Proofs, new Proof(method, facts.Now)] };
}
