using Shouldly;
using Xunit;
namespace Atrium.Tests;
public sealed class Probe { [Fact] public void Works() => 1.ShouldBe(1); }
