using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Users;

/// <summary><c>/users/{id}/factors</c>: what people have beside the password.</summary>
public static class FactorsEndpoints
{
    private static readonly Field<FactorType?> Type = Field.Choice<FactorType>("type").Describe("An authenticator app.").Required();

    private static readonly Field<string> Issuer = Name("issuer").Describe("The name of the product that the app shows; the realm's unless said.");

    private static readonly Field<string> Account = Name("account").Describe("The account name that the app shows; the e-mail address unless said.");

    private static readonly Field<string> Secret = Field.Text("secret", FactorEnrolment.MaxSecretText)
        .Check(static text => FactorEnrolment.ReadSecret(text) is null ? $"A secret should be {FactorEnrolment.SecretForm}." : null)
        .Describe("A secret that the person's app has already, in base 32; a new one is made unless said.");

    private static readonly Shape Enrolment = new(Type, Issuer, Account, Secret);

    public static void MapFactors(this RouteGroupBuilder users)
    {
        RouteGroupBuilder factors = users.MapGroup("/{id}/factors").WithTags("Factors");
        factors.MapGet("", ListAsync).Needs(ApiScopes.UsersRead).TakesPage<Factor>().WithSummary("Lists a person's second factors.").AnswersMany<FactorResource>();
        factors.MapPost("", EnrolAsync).Needs(ApiScopes.UsersWrite).Reads(Enrolment)
            .WithSummary("Enrols a second factor; its secret is shown this once. It protects nothing until its first right code.")
            .AnswersOne<EnrolledFactorResource>(StatusCodes.Status201Created);
        factors.MapGet("/{factor}", GetAsync).Needs(ApiScopes.UsersRead).WithSummary("Shows a second factor.").AnswersOne<FactorResource>();
        factors.MapDelete("/{factor}", DeleteAsync).Needs(ApiScopes.UsersWrite).WithSummary("Deletes a second factor.").AnswersNothing();
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, string id, UserStore users, FactorStore factors, CancellationToken cancellationToken)
    {
        return await UsersEndpoints.FindAsync(context, id, users, cancellationToken) is { } user
            ? Many.Of(
                await factors.ListAsync(user.RealmId, user.Id, context.Page<Factor>(), cancellationToken),
                FactorResource.Of,
                ResourceJson.Default.FactorResource,
                static factor => factor.Id.ToString())
            : ManagementError.NotFound;
    }

    private static async Task<IResult> EnrolAsync(
        HttpContext context, string id, UserStore users, FactorStore factors, FactorEnrolment enrolment, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (await UsersEndpoints.FindAsync(context, id, users, cancellationToken) is not { } user)
            return ManagementError.NotFound;
        EnrolledFactor enrolled = await enrolment.PrepareAsync(
            user,
            body.Of(Issuer),
            body.Of(Account),
            body.Of(Secret) is { } secret ? FactorEnrolment.ReadSecret(secret) : null,
            cancellationToken);
        return Answer(await factors.CreateAsync(enrolled.Factor, context.Origin<bool>(Answer), cancellationToken));

        IResult Answer(bool made) => made
            ? new One<EnrolledFactorResource>(
                EnrolledFactorResource.Of(enrolled.Factor, enrolled.Secret, enrolled.Uri, enrolled.QrCode),
                ResourceJson.Default.EnrolledFactorResource,
                StatusCodes.Status201Created,
                EntityTag.Of(FactorResource.Of(enrolled.Factor), ResourceJson.Default.FactorResource))
            : ManagementError.NotFound;
    }

    private static async Task<IResult> GetAsync(HttpContext context, string id, string factor, FactorStore factors, CancellationToken cancellationToken) =>
        Id<User>.Parse(id) is { } user && Id<Factor>.Parse(factor) is { } known
            && await factors.FindAsync(context.Caller().Realm, user, known, cancellationToken) is { } found
            ? new One<FactorResource>(FactorResource.Of(found), ResourceJson.Default.FactorResource)
            : ManagementError.NotFound;

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, string factor, FactorStore factors, CancellationToken cancellationToken)
    {
        if (Id<User>.Parse(id) is not { } user || Id<Factor>.Parse(factor) is not { } known)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        Factor? deleted = await factors.DeleteAsync(
            context.Caller().Realm,
            user,
            known,
            found => deletion.Allows(FactorResource.Of(found), ResourceJson.Default.FactorResource),
            context.Origin(),
            cancellationToken);
        return deletion.Answer(deleted is not null);
    }

    private static Field<string> Name(string name) => Field.Text(name, FactorEnrolment.MaxNameLength)
        .Check(static text => string.IsNullOrWhiteSpace(text) || !TextRules.IsPlain(text) ? "A name has something in it, and no control characters." : null);
}
